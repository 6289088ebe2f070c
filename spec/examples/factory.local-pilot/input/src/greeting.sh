echo 'Good day'
